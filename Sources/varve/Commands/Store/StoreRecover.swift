internal import ArgumentParser
internal import ControlPlane

/// `varve store recover`
struct StoreRecover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover", abstract: "Make a new data directory from an object store alone.",
        discussion: """
            Needs no server. Every snapshot whose upload was completed is found; nothing in the store is changed.

            Example:
              varve store recover --data /var/lib/varve-new --store /mnt/backup/store
            """)

    @Option(help: ArgumentHelp("The new data directory, missing or empty.", valueName: "dir")) var data: String
    @Option(help: ArgumentHelp("The store's directory, dir:///PATH, or s3://BUCKET/PREFIX?...", valueName: "store"))
    var store: String

    func run() async throws {
        var settings = HousePlan(data: Places.absolute(data), store: try Places.store(store))
        settings.opener = S3Opener()
        let report = try await House.recover(settings)
        for problem in report.problems { Output.note("not recovered: \(problem)") }
        Output.note("\(report.snapshotCount) snapshots recovered; serve them with: varve serve --data \(data)")
    }
}
