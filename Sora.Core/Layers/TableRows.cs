namespace Sora.Layers;

/// <summary>Looks up vectors by number; TorchSharp has <c>embedding</c> only as a module that owns its table.</summary>
internal static class TableRows
{
    /// <summary>The rows of a table [rows, D] at indices [...], int64: [..., D].</summary>
    public static Tensor Of(Tensor table, Tensor indices) =>
        table.index_select(0, indices.flatten()).view([.. indices.shape, table.size(1)]);
}
