/** The parts of an export, in the order in which they appear: `ExportSource[]`. */
export const EXPORT_SOURCES = Symbol('EXPORT_SOURCES');
