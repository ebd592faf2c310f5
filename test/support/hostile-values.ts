/**
 * Values of an app that count, and complain, when anybody looks at them by running them: getters, traps, methods that
 * stand in the place of the language's. A text for temporary apps (CommonJS): `values(log)` gives them by name, and `log`
 * is told what has run.
 */
export const hostileValues = `
const { EventEmitter } = require("node:events");
const http = require("node:http");

exports.values = (log) => {
  const ran = (name) => {
    log.push(name);
    throw new Error(name + " was run");
  };
  const traps = (name, allowed = []) => {
    const handler = {};
    for (const trap of Object.getOwnPropertyNames(Reflect)) {
      if (typeof Reflect[trap] !== "function") continue;
      handler[trap] = (...args) => {
        if (trap === "get" && allowed.includes(args[1])) return Reflect[trap](...args);
        return ran(name + ": trap " + trap + " " + (trap === "get" ? String(args[1]) : ""));
      };
    }
    return handler;
  };
  const NAMES = [
    "constructor", "router", "settings", "mountpath", "engines", "_router", "stack", "params", "methods", "middleware",
    "context", "request", "response", "routes", "getPath", "errorHandler", "client", "raw", "then", "fetch", "handler",
    "handle", "callback", "use", "routing", "ready", "app", "server", "default", "__esModule", "module.exports", "toString",
    "valueOf", "toJSON", "size", "_events", "message", "stack", "code", "unwatch", "_registry", "registry", "levels",
    Symbol.toPrimitive, Symbol.toStringTag, Symbol.iterator, Symbol.species, Symbol.hasInstance,
    Symbol.for("nodejs.util.inspect.custom"),
  ];
  const withGetters = (name, object, names = NAMES) => {
    for (const key of names) {
      Object.defineProperty(object, key, {
        configurable: true,
        enumerable: typeof key === "string",
        get: () => ran(name + ": getter " + String(key)),
      });
    }
    return object;
  };
  const revoked = (target) => {
    const { proxy, revoke } = Proxy.revocable(target, {});
    revoke();
    return proxy;
  };
  const express4 = Object.assign((req, res) => {}, { settings: {}, mountpath: "/", engines: {}, locals: {} });
  withGetters("like an app of Express 4", express4, ["router"]);

  class Shelf extends Map {}
  withGetters("map", Shelf.prototype, ["size", "entries", "keys", "values", "get", "has", "forEach", "delete", "set", Symbol.iterator]);
  class Bag extends Set {}
  withGetters("set", Bag.prototype, ["size", "entries", "keys", "values", "has", "forEach", "delete", "add", Symbol.iterator]);
  class List extends Array {
    static get [Symbol.species]() {
      return ran("array: species");
    }
  }
  class Emitter extends EventEmitter {}
  withGetters("emitter", Emitter.prototype, ["rawListeners", "listeners", "eventNames", "listenerCount", "constructor"]);
  const emitter = new Emitter();
  emitter.on("error", () => {});
  class Server extends http.Server {}
  withGetters("server", Server.prototype, ["constructor", "setSecureContext"]);
  class Named {
    static get name() {
      return ran("class: name");
    }
    static get [Symbol.for("nodejs.util.inspect.custom")]() {
      return ran("class: inspect");
    }
    get value() {
      return ran("class: getter");
    }
    static get value() {
      return ran("class: static getter");
    }
  }
  class Private {
    #held = new Proxy({}, traps("private field"));
    get #value() {
      return ran("private getter");
    }
    read() {
      return [this.#held, this.#value];
    }
  }
  const Base = new Proxy(class Hidden {}, traps("base class", ["prototype"]));
  class Derived extends Base {}
  const list = new List();
  list.push(1);
  const holes = [1, 2];
  Object.defineProperty(holes, 0, { configurable: true, enumerable: true, get: () => ran("array: element") });
  Object.setPrototypeOf(holes, new Proxy(Array.prototype, traps("prototype of an array")));

  return {
    object: withGetters("object", {}),
    made: withGetters("instance", new (class Made {})()),
    bare: withGetters("object without prototype", Object.create(null)),
    callable: withGetters("function", () => {}, [...NAMES, "prototype", "name", "length"]),
    named: withGetters("function with own prototype", Object.assign(function Classic() {}, {})),
    express4,
    proxy: new Proxy({}, traps("proxy")),
    instance: new Proxy(new Named(), traps("proxy of an instance")),
    proxyOfFunction: new Proxy(function made() {}, traps("proxy of a function")),
    proxyOfClass: new Proxy(class Hidden {}, traps("proxy of a class")),
    proxyOfArray: new Proxy([1], traps("proxy of an array")),
    proxyOfMap: new Proxy(new Map(), traps("proxy of a map")),
    proxyOfProxy: new Proxy(new Proxy({}, traps("inner proxy")), traps("outer proxy")),
    revoked: revoked({}),
    revokedArray: revoked([]),
    revokedFunction: revoked(function gone() {}),
    inherited: Object.create(new Proxy({}, traps("prototype"))),
    map: new Shelf(),
    set: new Bag(),
    list,
    holes,
    emitter,
    server: new Server(),
    Named,
    Derived,
    derived: Object.create(Derived.prototype),
    private: new Private(),
    date: withGetters("date", new Date(), ["toString", "valueOf", "constructor", Symbol.toPrimitive]),
    promise: withGetters("promise", Promise.resolve(), ["then", "constructor", "finally", "catch"]),
    error: withGetters("error", new Error("kept"), ["message", "code", "name", "cause", "location", "frame"]),
    bytes: withGetters("bytes", new Uint8Array(2), ["length", "constructor", "buffer"]),
  };
};
`;
