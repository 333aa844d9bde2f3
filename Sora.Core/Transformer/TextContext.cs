namespace Sora.Transformer;

/// <summary>The texts of a batch as every block of the transformer reads them.</summary>
/// <param name="Blocks">Each block's keys and values.</param>
public sealed record TextContext(IReadOnlyList<TextKeys> Blocks) : IDisposable
{
    /// <summary>The number of texts.</summary>
    public long Count => Blocks[0].Keys.size(0);

    /// <summary>Texts of several contexts of the same length joined to one batch.</summary>
    public static TextContext Join(IReadOnlyList<TextContext> parts) => new(
        [.. Enumerable.Range(0, parts[0].Blocks.Count).Select(i => new TextKeys(
            cat([.. parts.Select(p => p.Blocks[i].Keys)], 0),
            cat([.. parts.Select(p => p.Blocks[i].Values)], 0)))]);

    /// <summary>Takes the tensors out of the current dispose scope; the caller disposes the context.</summary>
    public TextContext Detach()
    {
        foreach (TextKeys block in Blocks)
        {
            block.Keys.DetachFromDisposeScope();
            block.Values.DetachFromDisposeScope();
        }
        return this;
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (TextKeys block in Blocks)
        {
            block.Keys.Dispose();
            block.Values.Dispose();
        }
    }
}
