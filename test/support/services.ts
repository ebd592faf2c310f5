/** Servers that some tests need: `.ci/run` starts them, and names them in the environment. */

/** For the options of a test: false, or why it is skipped. */
export function skipWithout(service: "REDIS" | "POSTGRES"): string | false {
  return serviceUrl(service) === undefined ? `needs UNRELOADER_TEST_${service}_URL, which .ci/run sets` : false;
}

export function serviceUrl(service: "REDIS" | "POSTGRES"): string | undefined {
  return process.env[`UNRELOADER_TEST_${service}_URL`];
}
