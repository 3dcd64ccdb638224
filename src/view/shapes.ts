import type { SagaExtras } from './saga-timeline.ts'
import type { Shape } from './timeline.ts'

/**
 * The shapes of timeline entries that this process has met, so that a million entries share some dozens of them. What
 * somebody has chosen freely, such as the reason why a saga was parked, must not fill the memory: so many are kept, and
 * any further one belongs to its entry alone.
 */
export class Shapes {
  readonly #byType = new Map<string, Map<string, Shape[]>>()
  #count = 0

  of(topic: string, type: string, extras: SagaExtras): Shape {
    const alike = this.#alike(type, extras.detail ?? '')
    for (const shape of alike) if (isSame(shape, topic, extras)) return shape
    const shape = { type, topic, ...extras }
    if (this.#count < shapesMax && alike.length < alikeMax) {
      alike.push(shape)
      this.#count++
    }
    return shape
  }

  #alike(type: string, detail: string): Shape[] {
    let byDetail = this.#byType.get(type)
    if (byDetail === undefined) this.#byType.set(type, (byDetail = new Map()))
    const known = byDetail.get(detail)
    if (known !== undefined) return known
    const alike: Shape[] = []
    if (this.#count < shapesMax) byDetail.set(detail, alike)
    return alike
  }
}

/** For who keeps no timelines. */
export const unshared: Pick<Shapes, 'of'> = { of: (topic, type, extras) => ({ type, topic, ...extras }) }

const shapesMax = 4_096
/** Of one type and detail, which differ in their step and attempt: they are looked through one by one. */
const alikeMax = 32

const isSame = (shape: Shape, topic: string, { step, undo, attempt, detail }: SagaExtras): boolean =>
  shape.step === step &&
  shape.attempt === attempt &&
  shape.undo === undo &&
  shape.detail === detail &&
  shape.topic === topic
