internal import Blocks

/// A volume's own background threads: one that settles, one that hydrates, each while there is something to do.
struct Background: Sendable {
    var isSettling = false
    var mustSettleAgain = false
    var isHydrating = false
    var mustStop = false
    var problem: String?
}

extension Volume {
    /// Starts what there is to do in the background, if the environment wants that.
    func startBackgroundWork() {
        guard environment.runsBackgroundWork else { return }
        let (mustSettle, mustHydrate) = background.withLock { state -> (Bool, Bool) in
            if state.mustStop { return (false, false) }
            let settle = !state.isSettling
            let hydrate = !state.isHydrating && environment.hydrates
            state.mustSettleAgain = true
            state.isSettling = true
            if hydrate { state.isHydrating = true }
            return (settle, hydrate)
        }
        if mustSettle { _ = OSThread(name: "settle", isBackground: true) { self.settleInBackground() } }
        if mustHydrate { _ = OSThread(name: "hydrate", isBackground: true) { self.hydrateInBackground() } }
    }

    /// Stops background threads and waits for them.
    func stopBackgroundWork() {
        background.change { $0.mustStop = true }
        background.wait { $0.isSettling || $0.isHydrating ? nil : () }
    }

    private func settleInBackground() {
        while true {
            let goesOn = background.change { state -> Bool in
                let goesOn = state.mustSettleAgain && !state.mustStop
                state.mustSettleAgain = false
                state.isSettling = goesOn
                return goesOn
            }
            guard goesOn else { return }
            do { try settle() } catch {
                let text = "\(error)"
                background.withLock { $0.problem = text }
                // Nothing is lost: the overlay stays a layer, and the next finished snapshot or a restart tries again.
            }
        }
    }

    /// Goes on until all is here, waiting longer after each failure: a store may be away for hours.
    private func hydrateInBackground() {
        var wait = Duration.milliseconds(200)
        while !background.withLock({ $0.mustStop }) {
            do {
                if try hydrate() { break }
                // Told to stop: by a rollback, which brings another source, or by a failure that needs a restart.
                let stopped: Void? = background.wait(atMost: .milliseconds(100)) { $0.mustStop ? () : nil }
                if stopped != nil || isFailed { break }
            } catch {
                let text = "\(error)"
                let hydration = control.withLock { $0.generation.hydration }
                hydration?.progress.withLock { $0.problem = text }
                let stopped: Void? = background.wait(atMost: wait) { $0.mustStop ? () : nil }
                if stopped != nil { break }
                wait = min(wait * 2, .seconds(30))
            }
        }
        background.change { $0.isHydrating = false }
    }
}
