namespace Sora.Transformer;

/// <summary>Tables of modulation vectors [rows, D] and the row of every token.</summary>
/// <param name="times">The tokens' times.</param>
/// <param name="rowIndex">The row of every token as an int64 tensor [N].</param>
public sealed class Modulation(TokenTimes times, Tensor rowIndex)
{
    /// <summary>The row of every token, int64 [N].</summary>
    public Tensor RowIndex { get; } = rowIndex;

    /// <summary>norm(x)·(1 + scale) + shift, for x [N, D] and tables [rows, D].</summary>
    public Tensor ScaleShift(Tensor x, Tensor scale, Tensor shift)
    {
        if (times.Run == 0)
            return (x * scale.index_select(0, RowIndex).add_(1)).add_(shift.index_select(0, RowIndex));
        Tensor grouped = x.view(times.Times.Length, times.Run, x.size(1));
        return (grouped * (scale + 1).unsqueeze(1)).add_(shift.unsqueeze(1)).view(x.shape);
    }

    /// <summary>x + gate·y, for x, y [N, D] and a table [rows, D].</summary>
    public Tensor AddGated(Tensor x, Tensor y, Tensor gate)
    {
        if (times.Run == 0)
            return x + (y * gate.index_select(0, RowIndex));
        Tensor grouped = y.view(times.Times.Length, times.Run, y.size(1));
        return x + (grouped * gate.unsqueeze(1)).view(x.shape);
    }
}
