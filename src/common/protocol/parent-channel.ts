/**
 * The channel to the process that has started this one by `fork()`. It is the main thread's: a thread of the app that ends, is
 * blocked or is replaced must neither close it nor lose what comes. The app's thread has what looks like it.
 */
import v8 from "node:v8";

/** The option `serialization` of `fork()`. */
export type Serialization = "json" | "advanced";

/** What a thread has to know of it. */
export interface SharedChannel {
  readonly serialization: Serialization;
  readonly fd: number | undefined;
}

/** A message, as Node would write it to the channel. */
export type PackedMessage = string | Uint8Array;

/** What a write to the channel has failed with: properties of an error of Node's, to make it again. */
export interface WriteError {
  readonly message: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Throws what `process.send()` throws for what cannot be sent. */
export function packMessage(message: unknown, serialization: Serialization): PackedMessage {
  // No text: `toJSON` has given nothing.
  if (serialization === "json") return JSON.stringify(message) ?? "null";
  const serializer = new MessageSerializer();
  serializer.writeHeader();
  serializer.writeValue(message);
  return serializer.releaseBuffer();
}

export function unpackMessage(packed: PackedMessage): unknown {
  if (typeof packed === "string") return JSON.parse(packed);
  const deserializer = new MessageDeserializer(packed);
  deserializer.readHeader();
  return deserializer.readValue();
}

/** Node calls these for objects that V8 cannot clone; its types do not have them. */
interface HostObjects {
  _writeHostObject(object: object): void;
  _readHostObject(): unknown;
}

const VIEW = 0;
const OTHER = 1;

const writeView = (v8.DefaultSerializer.prototype as unknown as HostObjects)._writeHostObject;
const readView = (v8.DefaultDeserializer.prototype as unknown as HostObjects)._readHostObject;

/** As Node's own for its channels: of other objects than views, what they have of their own. */
class MessageSerializer extends v8.DefaultSerializer {
  _writeHostObject(object: object): void {
    if (ArrayBuffer.isView(object)) {
      this.writeUint32(VIEW);
      writeView.call(this, object);
      return;
    }
    this.writeUint32(OTHER);
    this.writeValue({ ...object });
  }
}

class MessageDeserializer extends v8.DefaultDeserializer {
  _readHostObject(): unknown {
    return this.readUint32() === VIEW ? readView.call(this) : this.readValue();
  }
}
