import type { Budget, ParcomoloError } from '../../base/index.ts'
import type { Clocks } from './proof.ts'

/** How to reach a Kafka cluster, and how this installation behaves there. */
export type KafkaOptions = {
  /** `host:port`, at least one; the others are learnt from the cluster. */
  readonly brokers: readonly string[]
  /** How the brokers name this process in their logs and metrics. */
  readonly clientId: string
  /**
   * Put before the name of every topic, group and transactional id, so that several installations can share a cluster.
   * Above this room names are without it.
   */
  readonly prefix?: string
  readonly sasl?: KafkaSasl
  /** Without it connections are plain text; `{}` is TLS with the machine's certificate authorities. */
  readonly tls?: KafkaTls
  /** False where topics are made by somebody else: they are then only checked. */
  readonly createsTopics?: boolean
  /** Of new topics; if undefined 3, or as many brokers as there are. */
  readonly replicationFactor?: number
  /** A member that is silent for so long loses its partitions to the others. */
  readonly sessionTimeoutMs?: number
  /** A broker that does not answer for so long is taken for dead. */
  readonly requestTimeoutMs?: number
  /** Hears of what concerns one topic alone and waits for somebody to cure it; with undefined, that it is over. */
  readonly onConcern?: (about: string, error: ParcomoloError | undefined) => void
  /** How often topics to which others may add partitions are looked at; standard: every 30 s. */
  readonly growthLookMs?: number
  /**
   * An owner that has not proved for so long that it is one does so before it appends. It has to be well below the
   * brokers' `transactional.id.expiration.ms` and `producer.id.expiration.ms`; standard: an hour.
   */
  readonly proofMs?: number
  /** What `proofMs` is measured by. */
  readonly clocks?: Clocks
  /** For what is read and not yet taken. */
  readonly budget?: Budget
}

export type KafkaSasl = {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** PEM texts. */
export type KafkaTls = { readonly ca?: string; readonly cert?: string; readonly key?: string }
