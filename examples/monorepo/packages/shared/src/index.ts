import { currency } from "./currency.ts";

export function price(amount: number): string {
  return `${amount.toFixed(2)} ${currency}`;
}
