import { sagaGraph, toMermaid } from '../saga/index.ts'
import { type Command } from './command.ts'
import { exitCode } from './exit-code.ts'
import { loadFrom, participantsBeside, readText } from './read-files.ts'

export const graph: Command = {
  name: 'graph',
  takes: 'FILE',
  summary: 'draw the saga in FILE as a Mermaid diagram',
  arguments: { min: 1, max: 1 },
  run: async ({ arguments: paths, terminal }) => {
    const path = paths[0]!
    const definition = await loadFrom(await readText(path), participantsBeside(path))
    terminal.out(toMermaid(sagaGraph(definition)).trimEnd())
    return exitCode.done
  }
}
