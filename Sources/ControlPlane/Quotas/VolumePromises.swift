internal import Blocks
internal import Catalog

/// Volumes that are about to be changed, as they will be: counted already, while the catalog still has them as they are.
///
/// Files cannot shrink again, so a volume's quota is asked for before its files grow, and what it has become is recorded after that.
/// The transaction that finds it allowed promises it; the promise ends when the one that records it is committed, or when the
/// change has failed before anything grew. Where the files grew and that could not be recorded, it is kept until it is
/// (``GrownVolumes``). The catalog runs one transaction after another, so whoever asks between the two counts the promise, and
/// before and after them counts the record. In memory alone: a kill ends promise and change together, and what had grown by
/// then is recorded when the volume is opened.
final class VolumePromises: Sendable {
    private struct State {
        var volumes: [String: VolumeRecord] = [:]
        /// Those whose files grew without that being recorded.
        var unrecorded: Set<String> = []
    }
    private let promised = Guarded(State())

    /// In the transaction that finds it allowed. One volume's changes come one after another, in its lane.
    func make(_ volume: VolumeRecord) { promised.withLock { $0.volumes[volume.id] = volume } }

    /// It is recorded, or will not be. No error if there is none.
    func end(_ id: String) {
        promised.withLock { state in
            state.volumes[id] = nil
            state.unrecorded.remove(id)
        }
    }

    /// Its files grew, and the catalog does not know yet. Of what was promised only that is left.
    func keep(_ volume: VolumeRecord) {
        promised.withLock { state in
            state.volumes[volume.id] = volume
            state.unrecorded.insert(volume.id)
        }
    }

    /// The volumes of which that was said, until their promise ends.
    var unrecorded: Set<String> { promised.withLock { $0.unrecorded } }

    /// Those of an account's that will be of a kind, but for one volume.
    func all(of account: String, kind: String, but id: String) -> [VolumeRecord] {
        promised.withLock { all in
            all.volumes.values.filter { $0.account == account && $0.isPaced && $0.kind == kind && $0.id != id }
        }
    }
}
