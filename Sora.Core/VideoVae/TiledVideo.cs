namespace Sora.VideoVae;

/// <summary>
/// One video on its way through the autoencoder, chunk by chunk and within a chunk tile by tile. What works on tiles has a
/// cache for each, so that tiles stream as the whole picture does.
/// </summary>
/// <param name="tiles">The tiles of the video's latents.</param>
internal sealed class TiledVideo(SpatialTiles tiles) : IDisposable
{
    private CausalCache _whole = new();
    private CausalCache[] _caches = [.. Enumerable.Range(0, tiles.IsWhole ? 0 : tiles.Count).Select(_ => new CausalCache())];

    // What the network draws of what it encodes, for the code of what it loses.
    private TiledVideo? _drawn;

    /// <summary>The same place in the same video a second time, which goes its own way.</summary>
    public TiledVideo Copy() => new(tiles) { _whole = _whole.Copy(), _caches = [.. _caches.Select(cache => cache.Copy())], _drawn = _drawn?.Copy() };

    /// <summary>Decodes the next latent frames [B, z, t, h, w] to [B, 3, T, H, W] in [−1, 1], float32.</summary>
    public Tensor DecodeChunk(VideoAutoencoder vae, Tensor latents)
    {
        if (tiles.IsWhole)
            return vae.DecodeChunk(latents, _whole);
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor h = vae.BeginDecoding(latents, _whole);                                    // B T' 2h 2w C
        _whole.EndChunk();
        int scale = (int)(h.size(2) / latents.size(3));
        return scope.MoveToOuter(InTiles(h, 2, scale, 3, vae.Config.SpatialStride, (part, row, column, cache) =>
            VideoAutoencoder.Limit(vae.FinishDecoding(part, Cut(latents, 3, 1, row, column), cache))));
    }

    /// <summary>Encodes the next chunk of frames [B, 3, T, H, W] to moments [B, 2·z, t, h, w], float32.</summary>
    public Tensor EncodeChunk(VideoAutoencoder vae, Tensor frames)
    {
        if (tiles.IsWhole)
            return vae.EncodeChunk(frames, _whole);
        using IDisposable noGradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor h = InTiles(frames, 3, vae.Config.SpatialStride, 2, 1, (part, _, _, cache) => vae.BeginEncoding(part, cache)); // B t h w C
        Tensor moments = vae.WithCode(vae.FinishEncoding(h, _whole), frames, _whole.IsStart, own => (_drawn ??= new(tiles)).DecodeChunk(vae, own));
        _whole.EndChunk();
        return scope.MoveToOuter(moments);
    }

    /// <summary>Frees what the tiles remember.</summary>
    public void Dispose()
    {
        _whole.Dispose();
        _drawn?.Dispose();
        foreach (CausalCache cache in _caches)
            cache.Dispose();
    }

    // The height is a tensor's axis of the given number, the width the one after it; a latent takes so many points of each.
    private Tensor InTiles(Tensor x, int axis, int scale, int resultAxis, int resultScale, Func<Tensor, TileSpan, TileSpan, CausalCache, Tensor> run)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor? result = null;
        for (int i = 0; i < tiles.Count; i++)
        {
            using DisposeScope inTile = NewDisposeScope();
            (TileSpan row, TileSpan column) = (tiles.Rows[i / tiles.Columns.Count], tiles.Columns[i % tiles.Columns.Count]);
            Tensor part = run(Cut(x, axis, scale, row, column).contiguous(), row, column, _caches[i]);
            _caches[i].EndChunk();
            result ??= inTile.MoveToOuter(Empty(part));
            Place(result, row.First, row.Count, column.First, column.Count)
                .copy_(Place(part, row.First - row.Start, row.Count, column.First - column.Start, column.Count));
        }
        return scope.MoveToOuter(result!);

        Tensor Place(Tensor y, long top, long height, long left, long width) => y
            .narrow(resultAxis, top * resultScale, height * resultScale).narrow(resultAxis + 1, left * resultScale, width * resultScale);

        Tensor Empty(Tensor part)
        {
            long[] shape = part.shape;
            shape[resultAxis] = (tiles.Rows[^1].Start + tiles.Rows[^1].Length) * resultScale;
            shape[resultAxis + 1] = (tiles.Columns[^1].Start + tiles.Columns[^1].Length) * resultScale;
            return empty(shape, part.dtype, part.device);
        }
    }

    private static Tensor Cut(Tensor x, int axis, int scale, TileSpan row, TileSpan column) =>
        x.narrow(axis, row.Start * scale, row.Length * scale).narrow(axis + 1, column.Start * scale, column.Length * scale);
}
