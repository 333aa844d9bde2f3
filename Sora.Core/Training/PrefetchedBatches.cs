namespace Sora.Training;

/// <summary>Items by their number; while one is used the next is made on another thread.</summary>
/// <param name="make">Makes an item; one at a time, on a thread of its own.</param>
/// <param name="end">The number after the last that is asked for.</param>
internal sealed class PrefetchedBatches<T>(Func<long, T> make, long end)
{
    private (long Number, Task<T> Item)? _next;
    private long _last = -1;
    private long _stride = 1;

    /// <summary>The item of a number; at once where it is as far after the last as that was after the one before.</summary>
    public T Take(long number)
    {
        if (_next is { } other && other.Number != number)
            other.Item.Wait();
        T item = (_next is { } next && next.Number == number ? next.Item : Prefetch.Start(() => make(number))).GetAwaiter().GetResult();
        if (_last >= 0 && number > _last)
            _stride = number - _last;
        _last = number;
        long following = number + _stride;
        _next = following < end ? (following, Prefetch.Start(() => make(following))) : null;
        return item;
    }
}
