/** Stands for PrismaClient and its like: opening it is slow, and a database allows so many connections. */
let opened = 0;

export class Client {
  constructor() {
    this.number = ++opened;
  }

  async count() {
    return this.number;
  }

  async disconnect() {}
}
