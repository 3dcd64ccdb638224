/** What can go wrong between the courier and a participant that speaks HTTP; part of `errorCodes`. */
export const courierErrorCodes = {
  PARCOMOLO_COURIER_ANSWER_WRONG: {
    cause: 'A participant that speaks HTTP has answered a command with what its contract does not know.',
    remedy:
      "Mend what the message names, in the service or in its contract: 200 with the reply's fields as JSON, 422 with the error's name in 'ce-type' and its fields, or 202. The command is sent again by itself."
  },
  PARCOMOLO_COURIER_CALL_FAILED: {
    cause:
      'A participant that speaks HTTP could not be reached, has not answered in time, or with another status than 200, 202 and 422.',
    remedy:
      'Look whether the service runs at the address of its contract (spec.http.url), and what it logs. The command is sent again by itself.'
  },
  PARCOMOLO_COURIER_ADDRESS_REFUSED: {
    cause: 'A participant that speaks HTTP is at an address of this machine or of a private network.',
    remedy:
      'Give it a public address, or allow private ones with PARCOMOLO_COURIER_PRIVATE=true where everybody who writes contracts may reach them.'
  },
  PARCOMOLO_COURIER_HEADER_MISSING: {
    cause: 'A header of a participant that speaks HTTP is to have a value that the process does not have.',
    remedy:
      'Set the variable that the contract names, or put the file into the folder PARCOMOLO_COURIER_SECRETS; in the cluster, the key into the Secret that courier.secret of the chart names.'
  }
} as const
