internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve store verify`
struct StoreVerify: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check every snapshot in the store.",
        discussion: """
            Levels: listing (objects and sizes), structure (manifests, nodes, footers too), sample (some data too),
            everything, live (each snapshot that a volume counts its changes from is compared with that volume too).

            Example:
              varve store verify --level structure
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Option(help: "How thoroughly: listing, structure, sample, everything or live.") var level = "everything"

    func validate() throws { try VerifyOutcome.check(level) }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("POST", "/store/verify", ["level": .text(level)])
        try VerifyOutcome.show(bytes, as: format.output)
    }
}

/// Asks for a check, and shows what it found.
enum VerifyOutcome {
    /// - Throws: a usage error for a level that there is not.
    static func check(_ level: String) throws {
        guard VerifyLevel(rawValue: level) != nil else {
            throw ValidationError("The level '\(level)' is not listing, structure, sample, everything or live.")
        }
    }

    /// - Throws: ``CommandFailure`` when something is damaged, after it was shown.
    static func show(_ bytes: [UInt8], as format: OutputFormat) throws {
        let report: VerifyReport = try NativeClient.read(bytes)
        if format == .json { Output.json(bytes) }
        for problem in report.problems.prefix(format == .json ? 0 : 1000) { Output.note(problem) }
        let summary = Self.summary(report)
        guard report.isSound else {
            throw CommandFailure.refused("damage found: \(report.problems.count) problems; \(summary)")
        }
        Output.note("sound: \(summary)")
    }

    private static func summary(_ report: VerifyReport) -> String {
        var checked = "\(report.snapshotCount) snapshots, \(Size(bytes: report.checkedBytes)) checked"
        if let locked = report.lockedSnapshotIds?.count {
            checked +=
                "; \(locked) of them are encrypted with a key that is not here, so only what shows without it was"
        }
        guard let count = report.comparedSnapshotCount, let bytes = report.comparedBytes else { return checked }
        guard count > 0 else {
            return checked + "; nothing was compared with a live volume, because no volume counts its changes from "
                + (report.snapshotCount == 1 ? "it" : "any of them")
        }
        let skipped = report.skippedBytes.map { ", \(Size(bytes: $0)) left out as changed since or not restored yet" }
        return checked + "; \(count) of them compared with live volumes: \(Size(bytes: bytes))" + (skipped ?? "")
    }
}
