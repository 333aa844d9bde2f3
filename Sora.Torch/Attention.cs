namespace TorchSharp;

/// <summary>Attention in memory that grows with N, not N².</summary>
internal static class Attention
{
    /// <summary>The most scores, over all heads, that exist at once: 64 MB in float32.</summary>
    private const long MaximumScores = 16 << 20;

    /// <summary>softmax(q·kᵀ/√d + mask)·v.</summary>
    public static torch.Tensor Apply(torch.Tensor query, torch.Tensor key, torch.Tensor value, torch.Tensor? mask) =>
        mask is not null ? Composed(query, key, value, mask)
        : FitsTiles(query, key, value) ? Called(Native.sora_attention(query.Handle, key.Handle, value.Handle), query, key, value)
        : FitsFloat(query, key, value) ? Called(Native.sora_float_attention(query.Handle, key.Handle, value.Handle), query, key, value)
        : Composed(query, key, value, mask);

    /// <summary>Whether the native kernel of matrix tiles can take this: bfloat16 on a processor with AMX.</summary>
    internal static bool FitsTiles(torch.Tensor query, torch.Tensor key, torch.Tensor value) =>
        SystemEngine.HasTiles && query.ndim == 4 && query.size(-1) % 32 == 0 && query.size(-1) <= 256
        && query.dtype == torch.bfloat16 && key.dtype == torch.bfloat16 && value.dtype == torch.bfloat16
        && query.device_type == DeviceType.CPU && query.NumberOfElements > 0 && key.NumberOfElements > 0;

    /// <summary>Whether any of the tensors takes part in a backward pass.</summary>
    internal static bool NeedsGradients(params ReadOnlySpan<torch.Tensor> tensors)
    {
        foreach (torch.Tensor tensor in tensors)
        {
            if (torch.is_grad_enabled() && tensor.requires_grad)
                return true;
        }
        return false;
    }

    // Whether the native kernel in float32 can take this; bfloat16 becomes float32 and is rounded at the end.
    private static bool FitsFloat(torch.Tensor query, torch.Tensor key, torch.Tensor value) =>
        SystemEngine.HasFloatAttention && query.ndim == 4 && key.ndim == 4 && value.shape.SequenceEqual(key.shape)
        && query.size(0) == key.size(0) && query.size(1) == key.size(1) && query.size(3) == key.size(3)
        && query.dtype is torch.ScalarType.Float32 or torch.ScalarType.BFloat16 && key.dtype == query.dtype && value.dtype == query.dtype
        && query.device_type == DeviceType.CPU && query.NumberOfElements > 0 && key.NumberOfElements > 0;

    private static torch.Tensor Called(nint handle, torch.Tensor query, torch.Tensor key, torch.Tensor value)
    {
        GC.KeepAlive(query);
        GC.KeepAlive(key);
        GC.KeepAlive(value);
        return handle != 0 ? new torch.Tensor(handle) : throw Native.LastError();
    }

    /// <summary>Attention composed from ordinary operators.</summary>
    internal static torch.Tensor Composed(torch.Tensor query, torch.Tensor key, torch.Tensor value, torch.Tensor? mask)
    {
        long queries = query.size(-2);
        long keys = key.size(-2);
        long heads = query.NumberOfElements / (queries * query.size(-1));
        double scale = 1 / Math.Sqrt(query.size(-1));
        long group = Math.Max(1, MaximumScores / (heads * keys));
        if (queries <= group)
            return Group(query, key, value, mask, scale);

        var parts = new List<torch.Tensor>();
        for (long start = 0; start < queries; start += group)
        {
            long length = Math.Min(group, queries - start);
            using torch.Tensor part = query.narrow(-2, start, length);
            using torch.Tensor? partMask = mask is null || mask.size(-2) == 1 ? mask?.alias() : mask.narrow(-2, start, length);
            parts.Add(Group(part, key, value, partMask, scale));
        }
        torch.Tensor result = torch.cat(parts, -2);
        foreach (torch.Tensor part in parts)
            part.Dispose();
        return result;
    }

    // Scores and their softmax are float32 whatever the type: rounded to 8 bits, scores of some tens are off by tenths.
    private static torch.Tensor Group(torch.Tensor query, torch.Tensor key, torch.Tensor value, torch.Tensor? mask, double scale)
    {
        using torch.Tensor wideQuery = query.to(torch.float32), wideKey = key.to(torch.float32), wideValue = value.to(torch.float32);
        using torch.Tensor scaled = wideQuery * scale;
        using torch.Tensor transposed = wideKey.transpose(-2, -1);
        using torch.Tensor products = scaled.matmul(transposed);
        using torch.Tensor scores = mask is null ? products.alias() : products + mask;
        using torch.Tensor weights = scores.softmax(-1);
        using torch.Tensor result = weights.matmul(wideValue);
        return result.to(value.dtype);
    }
}
