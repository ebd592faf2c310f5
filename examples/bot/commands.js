export function reply(text) {
  return `You said: ${text}`;
}
