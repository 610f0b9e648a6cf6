internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve store verify`
struct StoreVerify: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every snapshot in the store.",
        discussion: """
            Levels: listing (objects and sizes), structure (manifests, nodes, footers too), sample (some data too),
            everything.

            Example:
              varve store verify --level structure
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Option(help: "How thoroughly: listing, structure, sample or everything.") var level = "everything"

    func validate() throws {
        guard VerifyLevel(rawValue: level) != nil else {
            throw ValidationError("The level '\(level)' is not listing, structure, sample or everything.")
        }
    }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("POST", "/store/verify", ["level": .text(level)])
        try VerifyOutcome.show(bytes, as: format.output)
    }
}

/// Shows what a check found.
enum VerifyOutcome {
    /// - Throws: ``CommandFailure`` when something is damaged, after it was shown.
    static func show(_ bytes: [UInt8], as format: OutputFormat) throws {
        let report: VerifyReport = try NativeClient.read(bytes)
        if format == .json { Output.json(bytes) }
        for problem in report.problems.prefix(format == .json ? 0 : 1000) { Output.note(problem) }
        let summary = "\(report.snapshotCount) snapshots, \(Size(bytes: report.checkedBytes)) checked"
        guard report.isSound else {
            throw CommandFailure.refused("damage found: \(report.problems.count) problems; \(summary)")
        }
        Output.note("sound: \(summary)")
    }
}
