import type { DatabaseSync } from 'node:sqlite'
import type { ShapeNumbers } from '../projection.ts'
import type { Shape } from '../timeline.ts'
import { crcOf } from './row-crc.ts'

/**
 * The shapes of timeline entries that rows of this store name by a number. They are in a table of their own, written in
 * the transaction of the first row that has one; `reload` must follow where that is rolled back.
 */
export class StoredShapes implements ShapeNumbers {
  readonly #database: DatabaseSync
  #shapes: Shape[] = []
  /** By the object, which nearly always is the one that was met before, and by what it says. */
  #byShape = new WeakMap<Shape, number>()
  #byText = new Map<string, number>()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.reload()
  }

  numberOf(shape: Shape): number | Shape {
    const known = this.#byShape.get(shape)
    if (known !== undefined) return known
    const text = JSON.stringify(shape)
    const number = this.#byText.get(text) ?? this.#add(shape, text)
    if (number === undefined) return shape
    this.#byShape.set(shape, number)
    return number
  }

  shapeOf(number: number): Shape {
    return this.#shapes[number]!
  }

  reload(): void {
    const rows = this.#database.prepare('SELECT body FROM shapes ORDER BY number').all()
    const texts = rows.map(({ body }) => String(body))
    this.#shapes = texts.map((text) => JSON.parse(text) as Shape)
    this.#byText = new Map(texts.map((text, number) => [text, number]))
    this.#byShape = new WeakMap()
  }

  /** Undefined where there are too many: what somebody chooses freely may be without end. */
  #add(shape: Shape, text: string): number | undefined {
    const number = this.#shapes.length
    if (number >= shapesMax) return undefined
    this.#database
      .prepare('INSERT INTO shapes (number, body, crc) VALUES (?, ?, ?)')
      .run(number, text, crcOf([number, text]))
    this.#shapes.push(shape)
    this.#byText.set(text, number)
    return number
  }
}

const shapesMax = 4_096
