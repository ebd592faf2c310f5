/** Name -> job. */
export const jobs = new Map();
