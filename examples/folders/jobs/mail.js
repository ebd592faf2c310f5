import { jobs } from "../registry.js";

jobs.set("mail", () => "sent");
