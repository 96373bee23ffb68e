/** Of the service and of the command; a test holds it to the package files. */
export const version = '0.1.0';
