import type { CompatDoor } from '../door.ts'
import { hub } from './hub.ts'

/** The doors of other systems. Without this folder the server is whole: `createApp` takes any list, the empty one too. */
export const COMPAT_DOORS: readonly CompatDoor[] = [hub]
