/** The line to edit: save this file, then reload the page. */
export const greeting = "Welcome to the guestbook";

export const accent = "#0f766e";

export const loadedAt = new Date();
