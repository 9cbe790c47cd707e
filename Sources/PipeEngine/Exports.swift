// What commands and the gateway use of a queue, whichever engine keeps it. Names that this module
// declares hide those of the directory's engine.
@_exported public import PipeQueue
