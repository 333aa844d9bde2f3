namespace Sora.Layers;

/// <summary>
/// Layers that are read as they are used: two are in memory, the one that computes and the one after it, which a thread
/// reads meanwhile. After the last layer comes the first, since a network runs many times.
/// </summary>
internal sealed class StreamedLayers<T> : LayerSequence<T>, IDisposable
{
    private readonly LayerSlot<T>[] _slots;
    private readonly Action<int, string, Tensor> _read;
    private readonly CancellationTokenSource _closing = new();
    private Task _ahead = Task.CompletedTask;
    private int _current;

    /// <param name="count">The number of layers.</param>
    /// <param name="slots">Two slots, which this disposes.</param>
    /// <param name="read">Reads a parameter of a layer, given the layer's number and the name within it; on any thread.</param>
    public StreamedLayers(int count, (LayerSlot<T> First, LayerSlot<T> Second) slots, Action<int, string, Tensor> read) : base(count) =>
        (_slots, _read) = ([slots.First, slots.Second], read);

    /// <inheritdoc/>
    public override T this[int index]
    {
        get
        {
            ObjectDisposedException.ThrowIf(_closing.IsCancellationRequested, this);
            if (_slots[_current].Holds != index)
                Advance(index);
            return _slots[_current].Layer;
        }
    }

    /// <summary>Stops reading ahead, within one parameter, and frees both layers.</summary>
    public void Dispose()
    {
        if (_closing.IsCancellationRequested)
            return;
        _closing.Cancel();
        EndReading();
        foreach (LayerSlot<T> slot in _slots)
            slot.Dispose();
        _closing.Dispose();
    }

    private void Advance(int index)
    {
        EndReading();
        LayerSlot<T> free = _slots[_current], next = _slots[1 - _current];
        // Not what was read ahead at the start, after a run that was cut off, and where reading ahead failed: then it fails here.
        if (next.Holds != index)
            next.Load(index, (name, target) => _read(index, name, target), CancellationToken.None);
        _current = 1 - _current;
        int following = (index + 1) % Count;
        // Not from the pool: a busy processor gets no further pool threads, and those there may all be occupied.
        _ahead = Task.Factory.StartNew(
            () => free.Load(following, (name, target) => _read(following, name, target), _closing.Token),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    // What it throws counts only if the layer is used; it is then read again.
    private void EndReading() => _ahead.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
}
