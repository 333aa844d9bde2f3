namespace Sora.Training;

/// <summary>Prepares the next items on another thread while the current one is used.</summary>
public static class Prefetch
{
    /// <summary>Items <paramref name="first"/>, first + 1, … up to <paramref name="end"/>, made one ahead.</summary>
    /// <param name="first">The first number.</param>
    /// <param name="end">The number after the last.</param>
    /// <param name="make">Makes an item; runs on a pool thread.</param>
    public static IEnumerable<T> Range<T>(long first, long end, Func<long, T> make)
    {
        if (first >= end)
            yield break;
        Task<T> next = Task.Run(() => make(first));
        for (long number = first; number < end; number++)
        {
            T item = next.GetAwaiter().GetResult();
            long following = number + 1;
            if (following < end)
                next = Task.Run(() => make(following));
            yield return item;
        }
    }
}
