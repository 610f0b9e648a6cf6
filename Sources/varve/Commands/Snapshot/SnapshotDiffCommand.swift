internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve snapshot diff`
struct SnapshotDiffCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show where two snapshots differ.",
        discussion: """
            Example:
              varve snapshot diff snap-0123456789abcdef0 snap-0123456789abcdef1 --output json
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The one snapshot's id.") var a: String
    @Argument(help: "The other snapshot's id.") var b: String

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/snapshots/\(Segment.of(a))/diff/\(Segment.of(b))")
        if format.output == .json { return Output.json(bytes) }
        let diff: SnapshotDiff = try NativeClient.read(bytes)
        var table = Table(">OFFSET", ">LENGTH")
        for range in diff.ranges { table.add(String(range.offset), String(range.length)) }
        table.lines.forEach(Output.line)
        Output.note("\(Size(bytes: diff.bytes)) in \(diff.ranges.count) ranges")
    }
}
