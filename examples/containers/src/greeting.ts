export const greeting = "Hello from the container";
