import Blocks
import Simulation
import Testing

@testable import ControlPlane

/// The queue of uploads.
@Suite struct DeskTests {
    @Test("what comes while a try runs is not slept over: the try is made again at once")
    func hurried() {
        // Nobody moves the clock: a pause of an hour would never end.
        let desk = Desk<CopyUpload>(atOnce: 1, clock: ManualClock())
        let tries = Guarded(0)
        desk.add(CopyUpload("snap-0"))
        desk.open { [weak desk] _ in
            let count = tries.change { tries in
                tries += 1
                return tries
            }
            if count == 2 { return .finished }
            desk?.hurry()
            return .again(after: .seconds(3600))
        }
        let isOver: Void? = tries.wait(atMost: .seconds(60)) { $0 == 2 ? () : nil }
        #expect(isOver != nil)
        desk.close()
    }
}
