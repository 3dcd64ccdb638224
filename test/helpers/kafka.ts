/** The brokers that the environment names for tests; undefined where there are none. */
export const brokers = process.env['KAFKA_BROKERS']?.split(',')
