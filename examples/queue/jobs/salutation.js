export const salutation = "Hello";
