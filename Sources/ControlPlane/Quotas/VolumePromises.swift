internal import Blocks
internal import Catalog

/// Volumes that are about to be changed, as they will be: counted already, while the catalog still has them as they are.
///
/// Files cannot shrink again, so a volume's quota is asked for before its files grow, and what it has become is recorded after that.
/// The transaction that finds it allowed promises it; the promise ends when the one that records it is committed, or when the
/// change has failed. The catalog runs one transaction after another, so whoever asks between the two counts the promise, and
/// before and after them counts the record. In memory alone: a kill ends promise and change together, and what had grown by
/// then is recorded when the volume is opened.
final class VolumePromises: Sendable {
    private let promised = Guarded<[String: VolumeRecord]>([:])

    /// In the transaction that finds it allowed. One volume's changes come one after another, in its lane.
    func make(_ volume: VolumeRecord) { promised.withLock { $0[volume.id] = volume } }

    /// It is recorded, or will not be. No error if there is none.
    func end(_ id: String) { promised.withLock { $0[id] = nil } }

    /// Those of an account's that will be of a kind, but for one volume.
    func all(of account: String, kind: String, but id: String) -> [VolumeRecord] {
        promised.withLock { all in
            all.values.filter { $0.account == account && $0.isPaced && $0.kind == kind && $0.id != id }
        }
    }
}
