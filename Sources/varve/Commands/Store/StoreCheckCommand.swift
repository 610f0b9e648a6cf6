internal import ArgumentParser
internal import Blocks
internal import ControlPlane
internal import ObjectStore

/// `varve store check`
struct StoreCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Find out whether a store can hold snapshots, before it does.",
        discussion: """
            Needs no server. Writes, reads, lists and deletes objects below a prefix of its own, and removes them.

            Example:
              varve store check 's3://backups/varve?endpoint=https://s3.example.org&region=eu-1'
            """)

    @Argument(help: ArgumentHelp("A directory, dir:///PATH, or s3://BUCKET/PREFIX?...", valueName: "store"))
    var store: String

    func run() async throws {
        let place = try Places.store(store)
        let bare: any ObjectStore =
            try place.contains("://") ? S3Opener().store(at: place) : DirectoryStore(at: place)
        let patient = RetryingStore(bare, patience: .init(attempts: 4, jitter: 1))
        let isGood = await withCheckedContinuation { (done: CheckedContinuation<Bool, Never>) in
            _ = OSThread(name: "store-check") {
                done.resume(
                    returning: StoreCheck(patient).run { finding in
                        let seconds = finding.time.components.seconds
                        let milliseconds = seconds * 1000 + finding.time.components.attoseconds / 1_000_000_000_000_000
                        Output.line(
                            (finding.problem == nil ? "ok      " : "FAILED  ")
                                + "\(finding.ability.text), \(milliseconds) ms"
                                + (finding.problem.map { ": \($0)" } ?? ""))
                    })
            }
        }
        guard isGood else { throw CommandFailure.refused("the store \(store) cannot hold snapshots as it is") }
    }
}
