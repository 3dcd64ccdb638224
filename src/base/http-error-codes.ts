/** What can be wrong with a request, or meets it; part of `errorCodes`. */
export const httpErrorCodes = {
  PARCOMOLO_HTTP_INVALID_REQUEST: {
    cause: 'The request does not have the form that its description asks for.',
    remedy: 'Mend what errors lists; /docs shows each request.'
  },
  PARCOMOLO_HTTP_FORBIDDEN: {
    cause:
      'The request is one that nobody may send: by a name that is not of this machine, from the page of another site, or for a path that leads out of its folder.',
    remedy: 'Use the address that the start has printed; in a browser, a page that comes from there.'
  },
  PARCOMOLO_HTTP_URI_TOO_LONG: {
    cause: 'A part of the path is longer than anything that is found there.',
    remedy: 'Check the id; none has more than 256 characters.'
  },
  PARCOMOLO_HTTP_HEADERS_TOO_LARGE: {
    cause: 'The headers of the request are larger than 16 KiB together.',
    remedy: 'Send fewer or shorter ones; cookies are of no use here.'
  },
  PARCOMOLO_HTTP_REQUEST_TIMEOUT: {
    cause: 'The request did not arrive in whole within its time.',
    remedy: 'Send it again, without a pause in the middle.'
  },
  PARCOMOLO_HTTP_EXPECTATION_FAILED: {
    cause: 'The header Expect asks for something else than 100-continue.',
    remedy: 'Send the request without the header.'
  },
  PARCOMOLO_HTTP_MALFORMED_JSON: {
    cause: 'The body of the request is not JSON in UTF-8.',
    remedy: 'Send one JSON object; a JSON checker finds the place.'
  },
  PARCOMOLO_HTTP_UNSUPPORTED_MEDIA_TYPE: {
    cause: 'The body is sent as something else than JSON, or compressed.',
    remedy: 'Send it as it is, with the header Content-Type: application/json and without Content-Encoding.'
  },
  PARCOMOLO_HTTP_BODY_TOO_LARGE: {
    cause: 'The body of the request is larger than bodyBytesMax.',
    remedy: 'Send less at once; an order has at most 100 lines.'
  },
  PARCOMOLO_HTTP_NOT_FOUND: {
    cause: 'Nothing is there under this path or id.',
    remedy: 'Check the id; /docs lists the paths.'
  },
  PARCOMOLO_HTTP_METHOD_NOT_ALLOWED: {
    cause: 'The path is right and the method is not.',
    remedy: 'Use one of the methods in the header Allow.'
  },
  PARCOMOLO_HTTP_NOT_ACCEPTABLE: {
    cause: 'The header Accept leaves no form in which the answer can be given.',
    remedy: 'Ask for one of the media types that the message names.'
  },
  PARCOMOLO_HTTP_CONFLICT: {
    cause: 'The state of what the request would change does not allow it.',
    remedy: 'Look at the present state and decide anew; to repeat the request unchanged is no use.'
  },
  PARCOMOLO_HTTP_IDEMPOTENCY_KEY_REUSED: {
    cause: 'The Idempotency-Key was used before, with another body.',
    remedy: 'Take a new key for each new order, and the same only to repeat the same request.'
  },
  PARCOMOLO_HTTP_UNKNOWN_SKU: {
    cause: 'The order names a SKU that is not sold here.',
    remedy: 'Take one that GET /stock lists.'
  },
  PARCOMOLO_HTTP_TOTAL_TOO_LARGE: {
    cause: "The order's total is beyond 2^53 - 1 cents, where whole numbers end.",
    remedy: 'Order less, or in several orders.'
  },
  PARCOMOLO_HTTP_OUTCOME_UNKNOWN: {
    cause: 'The request was passed on, or may have been, and was not confirmed in time: the disk may be full or slow.',
    remedy: 'Repeat it after the time in Retry-After, with the same Idempotency-Key where there was one.'
  },
  PARCOMOLO_HTTP_OVERLOADED: {
    cause:
      'As many orders are in work, or requests held, as can be answered soon; or as many commands as ' +
      'commandsInFlightMax are on their way to the log, which takes them too slowly.',
    remedy: 'Repeat the request after the time in Retry-After, which is safe: nothing of it was taken.'
  },
  PARCOMOLO_HTTP_POSITION_NOT_REACHED: {
    cause: 'The read model did not come to the Parcomolo-Position of the request in time.',
    remedy: 'Repeat the request; if it stays so, /readyz and the log say why.'
  },
  PARCOMOLO_HTTP_NOT_READY: {
    cause: 'The read model is catching up after the start, or has stopped; or the disk takes no writes.',
    remedy: 'Repeat the request after the time in Retry-After; /readyz says more.'
  },
  PARCOMOLO_HTTP_INTERNAL: {
    cause: 'Something went wrong that nobody had foreseen.',
    remedy: 'Report it with the request id; the log has the rest under it.'
  }
} as const
