internal import ArgumentParser
internal import Foundation

/// Where text goes: what was asked for to standard output, all else to standard error.
enum Output {
    /// A line of what was asked for.
    static func line(_ text: String) { write(text + "\n", to: .standardOutput) }

    /// Bytes of what was asked for, and a line end.
    static func json(_ bytes: [UInt8]) { write(String(decoding: bytes, as: UTF8.self) + "\n", to: .standardOutput) }

    /// The same of what is not at hand as the server wrote it.
    static func json(of value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        json(Array(try encoder.encode(value)))
    }

    /// A line for people.
    static func note(_ text: String) { write(text + "\n", to: .standardError) }

    /// Paints over the line that the cursor is on.
    static func repaint(_ text: String) { write("\r\u{1B}[2K" + text, to: .standardError) }

    private static func write(_ text: String, to file: FileHandle) {
        // Nobody is left to tell when the reader of a pipe has gone.
        try? file.write(contentsOf: Data(text.utf8))
    }
}

/// How a command shows what it found.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json
}

/// `--output`.
struct OutputOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "table for people, json for programs.")
    var output: OutputFormat = .table
}
