/** A stand-in for the container of class-validator and routing-controllers, which keeps every class it was asked for. */

/** As their own default container: one instance of each class, for as long as the class is there. */
export function createWeakContainer(): { get(wanted: new () => object): object } {
  const instances = new WeakMap<object, object>();
  return {
    get(wanted) {
      let instance = instances.get(wanted);
      if (!instance) {
        instance = new wanted();
        instances.set(wanted, instance);
      }
      return instance;
    },
  };
}
