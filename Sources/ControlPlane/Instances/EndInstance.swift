internal import Blocks
internal import Catalog

/// Takes the disks from an instance that is terminated. Each step may run twice.
///
/// In the instance's lane, or while the house opens: nothing is attached to it any more.
struct EndInstance: Sendable {
    let house: Household

    func run(_ id: String) async throws {
        for attachment in try await house.catalog.change({ try $0.volumeAttachments(to: id) }) {
            let volume = attachment.objectID
            if attachment.goesWithInstance {
                // Detached and marked in one transaction: no stop leaves it detached and kept.
                try await DeleteVolume(house: house).begin(volume, detaching: true)
            } else {
                try await house.lanes.run(volume) {
                    await house.exports.withdraw(volume)
                    try await house.catalog.change { try $0.detachVolume(volume) }
                }
                house.announce(volume)
            }
            Failpoint.hit("instance.detached")
        }
    }
}
