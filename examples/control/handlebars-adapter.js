/** Tells unreloader about a registry in a package: what a file has put in is taken out again when that file is purged. */
export default {
  name: "handlebars",
  packages: ["handlebars"],
  attach({ exports: handlebars }, { wrap, record }) {
    wrap(
      handlebars,
      "registerHelper",
      (register) =>
        function (name, helper) {
          record(`helper ${name}`, () => this.unregisterHelper(name));
          return register.call(this, name, helper);
        },
    );
  },
};
