/** What the visitor or the page's host can mend; the message is shown as it is. */
export class PageError extends Error {}
