/** Who moves an order on: the saga with its commands, or the services by reacting to one another's events. */
export type Flow = 'orchestration' | 'choreography'
