using Sora.Layers;

namespace Sora;

/// <summary>A network of a model that is loaded when it is used, and let go afterwards unless it is kept. One user at a time.</summary>
/// <param name="load">Loads it.</param>
/// <param name="keep">Whether it stays loaded after use.</param>
internal sealed class ModelPart<T>(Func<T> load, bool keep) : IDisposable
    where T : class, IDisposable
{
    private T? _network;

    /// <summary>The same network in float32, loaded while it is used; null where this one is.</summary>
    public ModelPart<T>? InFloat32 { get; init; }

    /// <summary>Whether it is in memory.</summary>
    public bool IsLoaded => _network is not null;

    /// <summary>Loads it now where it will stay.</summary>
    public void Prepare()
    {
        if (keep)
            _network ??= load();
    }

    /// <summary>Gives the network until the result is disposed.</summary>
    /// <param name="clock">Told the time that loading takes, where it has to be loaded.</param>
    /// <exception cref="SoraException">Its files cannot be used.</exception>
    public Loan Borrow(StageClock clock) => new(this, _network ??= clock.Load(load));

    /// <summary>Frees the network.</summary>
    public void Dispose()
    {
        _network?.Dispose();
        _network = null;
    }

    /// <summary>The network while it is used.</summary>
    internal readonly struct Loan(ModelPart<T> part, T network) : IDisposable
    {
        public T Network { get; } = network;

        public void Dispose() => part.GiveBack();
    }

    private void GiveBack()
    {
        if (keep)
            return;
        Dispose();
        // The next part finds the room.
        EngineMemory.ReleaseUnused();
    }
}
