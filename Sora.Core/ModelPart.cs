namespace Sora;

/// <summary>A network of a model that is loaded when it is used, and let go afterwards unless it is kept. One user at a time.</summary>
/// <param name="load">Loads it.</param>
/// <param name="keep">Whether it stays loaded after use.</param>
internal sealed class ModelPart<T>(Func<T> load, bool keep) : IDisposable
    where T : class, IDisposable
{
    private T? _network;

    /// <summary>Whether it is in memory.</summary>
    public bool IsLoaded => _network is not null;

    /// <summary>Loads it now where it will stay.</summary>
    public void Prepare()
    {
        if (keep)
            _network ??= load();
    }

    /// <summary>Gives the network until the result is disposed.</summary>
    /// <exception cref="SoraException">Its files cannot be used.</exception>
    public Loan Borrow() => new(this, _network ??= load());

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
        if (!keep)
            Dispose();
    }
}
