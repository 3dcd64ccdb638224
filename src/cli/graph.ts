import { sagaGraph, toMermaid, toSvg } from '../saga/index.ts'
import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { loadFrom, participantsBeside, readText } from './read-files.ts'

export const graph: Command = {
  name: 'graph',
  takes: 'FILE',
  summary: 'draw the saga in FILE as a Mermaid diagram, or as SVG with --svg',
  arguments: { min: 1, max: 1 },
  options: { svg: { type: 'boolean' } },
  run: async ({ arguments: paths, options, terminal, program }) => {
    const path = paths[0]!
    const definition = await loadFrom(await readText(path), participantsBeside(path), program.reserved)
    const draw = options['svg'] === true ? toSvg : toMermaid
    terminal.out(draw(sagaGraph(definition)).trimEnd())
    return exitCode.done
  }
}
