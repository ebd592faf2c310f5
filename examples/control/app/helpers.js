import handlebars from "handlebars";

handlebars.registerHelper("loud", (text) => text.toUpperCase());
