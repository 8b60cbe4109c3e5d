/** JSON, as JSON.stringify writes it, that jsonb refuses: an escaped NUL or half of a surrogate pair. An even number of backslashes before it is text. */
export const NOT_IN_JSONB = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;
