import { BrokerRefusal } from './broker-errors.ts'
import { ByteWriter } from './byte-writer.ts'
import { FlexibleReader } from './flexible.ts'
import { type WireRequest, wireRequest } from './kafkajs.ts'

/** Who writes a partition, as the brokers know it. */
export type ProducerId = { readonly id: bigint; readonly epoch: number }

const initProducerId = { key: 22, version: 4, name: 'InitProducerId' }

/**
 * InitProducerId, version 4, with the id and the epoch that the caller has (KIP-360): a new epoch for the one who has
 * the transactional id, and a refusal where another has got it since. Of an id that the coordinator has forgotten it
 * gives a new producer id, as to anybody.
 */
export const renewRequest = (transactionalId: string, { id, epoch }: ProducerId): WireRequest<ProducerId> => {
  const body = new ByteWriter(256)
  body.byte(0)
  body.compact(transactionalId)
  body.int32(60_000)
  body.int64(Number(id))
  body.int16(epoch)
  body.byte(0)
  return wireRequest(initProducerId, body.written(), decodeAnswer)
}

/** Throttle time 4, error 2, producer id 8, epoch 2. */
const decodeAnswer = (payload: Buffer): ProducerId => {
  const reader = new FlexibleReader(payload)
  reader.skip(4)
  const code = reader.int16()
  if (code !== 0) throw new BrokerRefusal(code, 'the renewal of a transactional id')
  return { id: reader.int64(), epoch: reader.int16() }
}
