export class User {
  name = "Ada";
}
