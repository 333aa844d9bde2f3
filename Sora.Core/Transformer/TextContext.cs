namespace Sora.Transformer;

/// <summary>The texts of a batch, and their images in networks that read them, as every block of the transformer wants them.</summary>
/// <param name="Blocks">Each block's keys and values.</param>
public sealed record TextContext(IReadOnlyList<TextKeys> Blocks) : IDisposable
{
    /// <summary>The number of texts.</summary>
    public long Count => Blocks[0].Keys.size(0);

    /// <summary>Texts of several contexts of the same length joined to one batch; all have images, or none.</summary>
    public static TextContext Join(IReadOnlyList<TextContext> parts) => new(
        [.. Enumerable.Range(0, parts[0].Blocks.Count).Select(i => new TextKeys(
            cat([.. parts.Select(p => p.Blocks[i].Keys)], 0),
            cat([.. parts.Select(p => p.Blocks[i].Values)], 0),
            parts[0].Blocks[i].Image is null ? null : new ImageKeys(
                cat([.. parts.Select(p => ForEachText(p.Blocks[i].Image!.Keys, p.Count))], 0),
                cat([.. parts.Select(p => ForEachText(p.Blocks[i].Image!.Values, p.Count))], 0))))]);

    /// <summary>Takes the tensors out of the current dispose scope; the caller disposes the context.</summary>
    public TextContext Detach()
    {
        foreach (Tensor tensor in Tensors)
            tensor.DetachFromDisposeScope();
        return this;
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in Tensors)
            tensor.Dispose();
    }

    private IEnumerable<Tensor> Tensors => Blocks.SelectMany(block =>
        block.Image is { } image ? (Tensor[])[block.Keys, block.Values, image.Keys, image.Values] : [block.Keys, block.Values]);

    // An image that the texts of a part share becomes one for each.
    private static Tensor ForEachText(Tensor image, long texts) =>
        image.size(0) == texts ? image : image.expand(texts, image.size(1), image.size(2));
}
