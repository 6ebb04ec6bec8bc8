/**
 * A value that was given for a connector does not fit its provider. `setting` names the field or placeholder; the
 * message is for whoever configures the connector and never repeats the value.
 */
export class SettingError extends Error {
  readonly setting: string

  constructor(setting: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'SettingError'
    this.setting = setting
  }
}
