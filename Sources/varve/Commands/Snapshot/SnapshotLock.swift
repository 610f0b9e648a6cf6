internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve snapshot lock`
struct SnapshotLock: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock", abstract: "Keep a snapshot from being deleted for some days.",
        discussion: """
            governance: `varve snapshot unlock` takes it back. compliance: nobody can, once it has cooled off; then it
            can only be prolonged.

            Examples:
              varve snapshot lock snap-0123456789abcdef0 --days 30
              varve snapshot lock snap-0123456789abcdef0 --mode compliance --days 365 --cool-off-hours 24
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The snapshot's id.") var id: String
    @Option(help: "governance or compliance.") var mode = SnapshotLockView.Mode.governance.rawValue
    @Option(help: "For how many days, 1 to 36500.") var days: Int
    @Option(help: "For how many hours, 1 to 72, a lock of compliance can be taken back.") var coolOffHours: Int?

    func validate() throws {
        guard SnapshotLockView.Mode(rawValue: mode) != nil else {
            throw ValidationError("The mode '\(mode)' is not governance or compliance.")
        }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = ["mode": .text(mode), "days": .number(days)]
        if let coolOffHours { fields["coolOffHours"] = .number(coolOffHours) }
        let bytes = try await client.callRaw("PUT", "/snapshots/\(Segment.of(id))/lock", fields)
        if format.output == .json { return Output.json(bytes) }
        let lock: SnapshotLockView = try NativeClient.read(bytes)
        Output.line(lock.sentence)
    }
}

/// `varve snapshot unlock`
struct SnapshotUnlock: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Take a snapshot's lock back, where that is allowed.",
        discussion: """
            Example:
              varve snapshot unlock snap-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The snapshot's id.") var id: String

    func run(_ client: NativeClient) async throws {
        _ = try await client.callRaw("DELETE", "/snapshots/\(Segment.of(id))/lock")
    }
}

extension SnapshotLockView {
    /// What holds, in words.
    var sentence: String {
        let until = LocalTime.text(expiresAt)
        return switch state {
        case .governance: "locked until \(until)"
        case .compliance: "locked for good until \(until)"
        case .complianceCoolOff:
            "locked until \(until), for good from \(coolsOffAt.map(LocalTime.text) ?? "now") on"
        case .expired: "was locked until \(until)"
        }
    }
}
