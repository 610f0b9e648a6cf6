internal import ArgumentParser

/// `varve store ...`
struct StoreCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Look after the object store that holds the snapshots.",
        subcommands: [
            StoreStatusCommand.self, StoreReclaim.self, StoreVerify.self, StoreScrub.self, StoreRecover.self,
            StoreCheckCommand.self,
        ])
}
